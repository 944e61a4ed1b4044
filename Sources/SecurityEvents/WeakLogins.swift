import VigilModel

/// Marks logins by a method that proves little or gives the password away, so that rules see it without a look at each
/// login: `auth.method.trust`, `auth.method.password`, `auth.method.md5` (PostgreSQL manual, 20.3.1).
struct WeakLogins {
    private var kinds: [ObjectIdentifier: [String: EventKind]] = [:]

    /// Gives a login the word for its method, if that is a weak one.
    mutating func mark(_ event: inout SecurityEvent) {
        guard let method = event.authMethod, ["trust", "password", "md5"].contains(method) else { return }
        let key = ObjectIdentifier(event.kind)
        if let known = kinds[key]?[method] {
            event.kind = known
            return
        }
        let kind = event.kind
        event.kind = kind.tagged(["auth.method.\(method)"])
        // The kinds of the catalogue live as long as the reader, so their identities stay theirs.
        kinds[key, default: [:]][method] = event.kind
    }
}
