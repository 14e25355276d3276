"""IR -> IR, and facts about the IR that several engines need: `symmetry` with its proof."""
