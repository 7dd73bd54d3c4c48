"""Graphs of nodes that LangGraph runs."""
