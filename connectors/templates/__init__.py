"""Known systems: how to read the customers of Odoo, SAP, Salesforce and others.

What belongs here: one file of data per kind of record, ``NAME.yml``
(connectors/templates/model.py says what stands in it), and nothing about one
system in code. ``template: odoo`` in a source's YAML takes one.
"""

from connectors.templates.model import Api, Template, fill, load, names
from connectors.templates.recognition import Recognized, recognize

__all__ = ["Api", "Recognized", "Template", "fill", "load", "names", "recognize"]
