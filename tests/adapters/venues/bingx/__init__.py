"""Tests of BingX's frames, answers and limits."""
