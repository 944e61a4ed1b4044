/// What the named groups of an expression can give an event.
public enum EventField: String, CaseIterable, Sendable {
    /// `postgresql.auth.method`
    case authMethod = "auth_method"
    /// `postgresql.hba.rule`
    case hbaRule = "hba_rule"
    /// `tls.version`
    case tlsVersion = "tls_version"
    /// `user.name`
    case user
    /// `db.namespace`
    case database
    /// `source.address`
    case address
    /// `source.port`
    case port
    /// `user.target.name`
    case targetUser = "target_user"
    /// `db.object.name`
    case object
    /// `db.object.type`
    case objectType = "object_type"
    /// `db.operation.name`
    case operation
    /// `process.pid`
    case processID = "process_id"
    /// `postgresql.log.application_name`
    case application
    /// `db.query.text`: SQL, whose secrets are taken out
    case query
}
