"""Reserved for the page-cache vocabulary, written in the modelling language."""
