package dev.gatepost.admin;

import com.fasterxml.jackson.core.JsonProcessingException;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// All resources by method and path. A path that ends in `/{...}` takes the rest of the request's path as its name, since
/// what is named there (a route's id) may hold slashes.
final class Resources {
    private final Map<String, Map<String, Resource>> fixed = new HashMap<>();
    private final TreeMap<String, Map<String, Resource>> named = new TreeMap<>();

    void add(String method, String path, Resource resource) {
        int brace = path.indexOf('{');
        Map<String, Map<String, Resource>> paths = brace < 0 ? fixed : named;
        String key = brace < 0 ? path : path.substring(0, brace);
        if (paths.computeIfAbsent(key, _ -> new HashMap<>()).put(method, resource) != null) {
            throw new IllegalArgumentException("two resources for " + method + " " + path);
        }
    }

    Response answer(String method, String rawPath, String rawQuery) throws JsonProcessingException {
        Map<String, Resource> methods = fixed.getOrDefault(rawPath, Map.of());
        String name = "";
        if (methods.isEmpty()) {
            Optional<Map.Entry<String, Map<String, Resource>>> prefix = named.descendingMap().entrySet().stream()
                    .filter(entry -> rawPath.startsWith(entry.getKey()) && rawPath.length() > entry.getKey().length())
                    .findFirst();
            if (prefix.isEmpty()) {
                return Response.error(404, "no such resource: " + rawPath);
            }
            methods = prefix.get().getValue();
            name = rawPath.substring(prefix.get().getKey().length());
        }
        Resource resource = methods.get(method.equals("HEAD") ? "GET" : method);
        if (resource == null) {
            String allowed = String.join(", ", methods.keySet().stream().sorted().map(m -> m.equals("GET") ? "GET, HEAD" : m).toList());
            return Response.error(405, method + " " + rawPath + " (expected: " + allowed + ")").with(Map.of("Allow", allowed));
        }
        return answer(resource, method, name, rawPath, rawQuery);
    }

    private static Response answer(Resource resource, String method, String rawName, String rawPath, String rawQuery)
            throws JsonProcessingException {
        Optional<String> name = decoded(rawName);
        if (name.isEmpty()) {
            return Response.error(400, "path: " + rawPath + " (expected: percent-encoded UTF-8)");
        }
        try {
            Request request = Request.of(name.get(), rawQuery);
            if (!method.equals("GET") && !method.equals("HEAD")) {
                if (resource instanceof Change change) {
                    change.parameters().forEach(request::all);
                }
                // Before anything is changed.
                request.refuseUnknown();
            }
            Object value = resource.answer(request);
            request.refuseUnknown();
            if (value instanceof Optional<?> optional) {
                return optional.isPresent() ? Response.json(200, optional.get()) : Response.error(404, "not found: " + name.get());
            }
            return Response.json(200, value);
        } catch (BadParameter e) {
            return Response.error(400, String.valueOf(e.getMessage()));
        }
    }

    private static Optional<String> decoded(String rawName) {
        try {
            // URLDecoder is for forms, where + is a blank; in a path it is a plus.
            return Optional.of(URLDecoder.decode(rawName.replace("+", "%2B"), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException _) {
            return Optional.empty();
        }
    }
}
