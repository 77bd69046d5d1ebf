"""Raters against people: readers of labelled data sets, one a file, and what each says about a rater."""
