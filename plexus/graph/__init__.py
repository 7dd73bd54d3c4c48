"""Graphs of nodes, run by LangGraph."""
