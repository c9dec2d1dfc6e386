"""Figures about songs that a stranger could recompute; docs/guide/evaluating.md defines each."""
