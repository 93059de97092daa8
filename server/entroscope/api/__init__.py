"""HTTP and WebSockets: the application, its guards, and the documents that go in and out.

A route parses, calls one thing of `runs` or `streaming` and returns a model. Nothing here decides
what a run is, knows a key of Redis or a file of the archive.
"""
