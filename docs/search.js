// Whoever searches wants a guide first, then the reference, then why it was decided so.
var Scorer = {
  score: ([page, , , , score]) =>
    score - (page.startsWith("adr/") ? 200 : page.startsWith("reference/") ? 100 : 0),
  // The rest is as Sphinx has it.
  objNameMatch: 11,
  objPartialMatch: 6,
  objPrio: { 0: 15, 1: 5, 2: -5 },
  objPrioDefault: 0,
  title: 15,
  partialTitle: 7,
  term: 5,
  partialTerm: 2,
};
