"""One self-contained HTML file about runs: read them, draw them, fill a page.

jinja2 and matplotlib are imported where a page is made, not before.
"""
