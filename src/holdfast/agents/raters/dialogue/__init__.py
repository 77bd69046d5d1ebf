"""Raters of whole dialogues, fitted on what people said of them."""
