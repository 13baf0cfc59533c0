"""The embedded front door: takes SIP for the node and hands each new dialog to an idle worker."""
