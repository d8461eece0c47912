"""From the samples of pages to what is sent: what is new, under which name, with which tags."""
