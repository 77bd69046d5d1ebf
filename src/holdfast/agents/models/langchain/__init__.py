"""Models reached through LangChain, and LangChain callbacks for any model."""
