"""The conversation: a LangGraph graph of small async nodes, who takes part, and the rules that end it.

``from holdfast.simulator.conversation.graph import graph`` gives the compiled graph; nothing here imports LangGraph
before that.
"""
