import VigilModel

/// Marks logins by a method that proves little or gives the password away, so that rules see it without a look at each
/// login: `auth.method.trust`, `auth.method.password`, `auth.method.md5` (PostgreSQL manual, 20.3.1).
struct WeakLogins {
    /// Gives a login the word for its method, if that is a weak one.
    static func mark(_ event: inout SecurityEvent, _ variants: KindVariants) {
        guard let method = event.authMethod, ["trust", "password", "md5"].contains(method) else { return }
        event.kind = variants.tagged(event.kind, "auth.method.\(method)")
    }
}
