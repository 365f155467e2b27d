"""The command line: `listenkey demo`, `watch`, `simulate`, `journal`, `replay`, `diagram`."""
