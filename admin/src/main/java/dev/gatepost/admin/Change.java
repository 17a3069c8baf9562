package dev.gatepost.admin;

import java.util.List;

/// A resource that changes something and takes parameters. They are known before it is called, so that a misspelt one
/// changes nothing.
record Change(List<String> parameters, Resource resource) implements Resource {
    Change {
        parameters = List.copyOf(parameters);
    }

    @Override
    public Object answer(Request request) {
        return resource.answer(request);
    }
}
