"""SIP and sound. The only folder that knows pjsua2."""
