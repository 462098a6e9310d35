"""Labels: what people say of artifacts, in one project or in all of them."""
