"""Chat models as raters: rubrics, questions, answers, comparisons."""
