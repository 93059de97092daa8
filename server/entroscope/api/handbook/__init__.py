"""The handbook: Markdown files in `frontend/guide` as the pages below /guide.

Here Markdown becomes HTML, formulas become MathML and the list of settings is made from the schema
of the spec. No request is answered here. The Markdown libraries are imported by the first page that
is rendered, so that the start of the server does not wait for them.
"""
