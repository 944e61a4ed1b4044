import Foundation
import HTTPTransport
import LocatedYAML

/// Reads how a server is spoken to: `url`, `tls`, `basic`, `bearer`, `proxy`, `headers`, `timeout`, `compress`.
enum EndpointReader {
    /// The keys that every server has.
    static let keys = [
        "url", "url_file", "url_env", "tls", "basic", "bearer", "proxy", "headers", "timeout", "compress",
    ]

    /// The one server that the keys name: `url`, or where its address stands when that is a secret.
    static func read(_ place: YAMLValue, only keys: [String: YAMLValue]) throws(YAMLProblem) -> HTTPEndpoint {
        if let url = keys["url"], keys["url_file"] == nil, keys["url_env"] == nil { return try read(url, keys) }
        guard keys["url"] == nil, keys["url_file"] != nil || keys["url_env"] != nil else {
            throw place.problem("the key 'url' is missing, or said twice", hint: "write url, url_file or url_env")
        }
        let secret = try secret(place, file: keys["url_file"], environment: keys["url_env"])
        let text: String
        do { text = try secret.read() } catch { throw place.problem("\(error)") }
        guard let parts = URLComponents(string: text), let host = parts.host, let scheme = parts.scheme,
            ["http", "https"].contains(scheme)
        else { throw place.problem("what stands there is no address of a server") }
        var endpoint = HTTPEndpoint(url: text)
        endpoint.name = "\(scheme)://\(host)/…"
        try complete(&endpoint, keys)
        return endpoint
    }

    /// `url` may be one of several; the other keys are the same for all.
    static func read(_ url: YAMLValue, _ keys: [String: YAMLValue]) throws(YAMLProblem) -> HTTPEndpoint {
        let text = try url.text()
        guard let parts = URLComponents(string: text), ["http", "https"].contains(parts.scheme), parts.host != nil
        else {
            throw url.problem("no address of a server", hint: "write http://HOST:PORT or https://HOST:PORT")
        }
        // It would show in every message and in `check`.
        guard parts.user == nil, parts.password == nil else {
            throw url.problem(
                "a password does not belong in the address",
                hint: "write basic: {user: …, password_file: …} beside it")
        }
        guard parts.fragment == nil else { throw url.problem("no #… belongs in the address") }
        var endpoint = HTTPEndpoint(url: text.hasSuffix("/") ? String(text.dropLast()) : text)
        try complete(&endpoint, keys)
        return endpoint
    }

    private static func complete(_ endpoint: inout HTTPEndpoint, _ keys: [String: YAMLValue]) throws(YAMLProblem) {
        if let tls = keys["tls"] {
            let files = try tls.mapping(["ca", "certificate", "key"])
            endpoint.authorities = try files["ca"]?.text()
            endpoint.certificate = try files["certificate"]?.text()
            endpoint.key = try files["key"]?.text()
            for (_, file) in files where access(try file.text(), R_OK) != 0 {
                throw file.problem("this file cannot be read", hint: "check the name and its mode")
            }
        }
        if let basic = keys["basic"] {
            guard keys["bearer"] == nil else { throw basic.problem("either basic or bearer, not both") }
            let parts = try basic.mapping(["user", "password_file", "password_env"], required: ["user"])
            endpoint.credentials = .basic(
                user: try parts["user"]?.text() ?? "",
                password: try secret(basic, file: parts["password_file"], environment: parts["password_env"]))
        } else if let bearer = keys["bearer"] {
            let parts = try bearer.mapping(["token_file", "token_env"])
            endpoint.credentials = .bearer(
                try secret(bearer, file: parts["token_file"], environment: parts["token_env"]))
        }
        endpoint.proxy = try keys["proxy"]?.text()
        for (name, value) in try keys["headers"]?.entries() ?? [] {
            let text = try value.text()
            guard !(name + text).utf8.contains(where: { $0 < 32 }), !name.contains(":"), !name.isEmpty else {
                throw value.problem("no header of HTTP")
            }
            endpoint.headers.append((name, text))
        }
        if let timeout = keys["timeout"] {
            endpoint.timeout = Double(try timeout.duration()) / 1000
            guard endpoint.timeout >= 0.1 else { throw timeout.problem("at least 100ms belong here") }
        }
        if let compress = keys["compress"] { endpoint.packs = try compress.boolean() }
    }

    private static func secret(
        _ place: YAMLValue, file: YAMLValue?, environment: YAMLValue?
    ) throws(YAMLProblem) -> Secret {
        switch (try file?.text(), try environment?.text()) {
        case (let path?, nil): return .file(path)
        case (nil, let name?): return .environment(name)
        default:
            throw place.problem(
                "where the secret stands is missing, or said twice",
                hint: "name a file (…_file) or an environment variable (…_env)")
        }
    }
}
