"""Reserved for IR -> IR transformations and facts about the IR."""
