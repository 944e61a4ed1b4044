/// What a message of the server tells that a prefix without `%e`, `%i`, `%u` leaves out.
struct KnownMessage: Sendable {
    /// What stands in a blank of a message.
    enum Blank: Sendable { case user, database, host, other }

    /// Names in `patterns/messages/`.
    var names: [String]
    var severities: [StderrLabel] = [.fatal]
    var state: String
    /// csvlog's command tag at that moment; nil: it can be any.
    var tag: String?
    /// What the blanks hold, in order; those behind are of no interest.
    var blanks: [Blank] = []
    /// Written before a session is open: a name that no role or database has can stand before no other message.
    var isEarly = true
    /// More parts follow in the line ("connection authorized", the place of a syntax error).
    var isOpen = false

    /// All of them (sections of the manual's error codes, and the callers in auth.c, postinit.c, backend_startup.c).
    static let all: [KnownMessage] = [
        KnownMessage(names: ["password_failed"], state: "28P01", tag: "authentication", blanks: [.user]),
        KnownMessage(names: ["password_empty"], state: "28P01", tag: "authentication"),
        KnownMessage(
            names: ["hba_reject", "hba_no_entry"], state: "28000", tag: "authentication",
            blanks: [.host, .user, .database]),
        KnownMessage(
            names: [
                "peer_failed", "ident_failed", "cert_failed", "ldap_failed", "pam_failed", "radius_failed",
                "gssapi_failed", "sspi_failed", "bsd_failed", "trust_failed", "oauth_failed", "method_invalid",
            ], state: "28000", tag: "authentication", blanks: [.user]),
        KnownMessage(names: ["cert_required"], state: "28000", tag: "authentication"),
        KnownMessage(names: ["role_missing", "role_nologin"], state: "28000", tag: "startup", blanks: [.user]),
        KnownMessage(names: ["no_user_name"], state: "28000", tag: ""),
        KnownMessage(names: ["auth_timeout"], state: "57014", tag: "authentication"),
        KnownMessage(names: ["database_unknown"], state: "3D000", tag: "startup", blanks: [.database]),
        KnownMessage(names: ["database_denied"], state: "42501", tag: "startup", blanks: [.database]),
        KnownMessage(names: ["database_closed"], state: "55000", tag: "startup", blanks: [.database]),
        KnownMessage(names: ["too_many_for_database"], state: "53300", tag: "startup", blanks: [.database]),
        KnownMessage(names: ["too_many_for_role"], state: "53300", tag: "startup", blanks: [.user]),
        KnownMessage(names: ["too_many_reserved", "too_many_walsenders"], state: "53300", tag: "startup"),
        KnownMessage(names: ["too_many_clients"], state: "53300", tag: "initializing"),
        KnownMessage(names: ["walsender_denied"], state: "42501", tag: "startup"),
        KnownMessage(names: ["server_not_ready"], state: "57P03", tag: ""),
        KnownMessage(names: ["unsupported_protocol"], state: "0A000", tag: ""),
        KnownMessage(names: ["invalid_startup"], severities: [.fatal, .log], state: "08P01", tag: ""),
        KnownMessage(names: ["ssl_failed"], severities: [.log], state: "08P01", tag: ""),
        KnownMessage(names: ["connection_received"], severities: [.log], state: "00000", tag: "", isEarly: false),
        KnownMessage(names: ["connection_authenticated"], severities: [.log], state: "00000", tag: "authentication"),
        KnownMessage(
            names: ["connection_authorized", "replication_authorized"], severities: [.log], state: "00000",
            tag: "authentication", blanks: [.user], isOpen: true),
        KnownMessage(names: ["statement"], severities: [.log], state: "00000", tag: "idle", isEarly: false),
        KnownMessage(names: ["input_invalid"], severities: [.error], state: "22P02", isEarly: false),
        KnownMessage(names: ["parameter_restart"], severities: [.log], state: "55P02", isEarly: false),
        KnownMessage(
            names: ["syntax_error"], severities: [.error], state: "42601", isEarly: false, isOpen: true),
    ]

    /// LOG records of other SQLSTATEs than 00000, in English, by how the message starts: what is wrong with the
    /// configuration (guc-file.l, guc.c).
    static let logs: [(start: String, state: String)] = [
        ("configuration file \"", "F0000"), ("unrecognized configuration parameter \"", "42704"),
        ("invalid value for parameter \"", "22023"), ("syntax error in file \"", "42601"),
    ]

    /// Errors in English, by how the message starts and ends. Only what stays true whoever raises it.
    static let errors: [(start: String, end: String, state: String)] = [
        ("permission denied", "", "42501"), ("must be owner of ", "", "42501"), ("must be superuser", "", "42501"),
        ("must have admin option on ", "", "42501"), ("\"", " blocked by set_user", "42501"),
        ("syntax error at ", "", "42601"),
        ("unterminated quoted ", "", "42601"), ("unterminated /* comment", "", "42601"),
        ("trailing junk after ", "", "42601"), ("each UNION query ", "", "42601"), ("UNION types ", "", "42804"),
        ("absolute path not allowed", "", "42501"), ("could not ", ": Permission denied", "42501"),
        ("could not ", ": No such file or directory", "58P01"),
        ("division by zero", "", "22012"), ("invalid input syntax for ", "", "22P02"),
        ("invalid byte sequence for encoding ", "", "22021"), ("deadlock detected", "", "40P01"),
        ("duplicate key value violates ", "", "23505"), ("canceling statement due to lock timeout", "", "55P03"),
        ("canceling statement due to conflict with recovery", "", "40001"),
        ("canceling statement due to ", "", "57014"), ("current transaction is aborted", "", "25P02"),
        ("terminating connection due to administrator", "", "57P01"),
        ("terminating connection due to unexpected postmaster exit", "", "57P01"),
        ("terminating walreceiver process due to administrator", "", "57P01"),
        ("could not connect to the primary server: ", "", "08006"),
        ("could not receive data from WAL stream: ", "", "08006"),
        ("could not start WAL streaming: ", "", "08P01"),
        ("cannot execute ", " in a read-only transaction", "25006"),
        ("terminating connection due to idle-in-transaction", "", "25P03"),
        ("terminating connection due to idle-session", "", "57P05"),
        ("role \"", "does not exist", "42704"), ("database \"", "does not exist", "3D000"),
        ("operator does not exist: ", "", "42883"), ("function ", "does not exist", "42883"),
        ("relation \"", "does not exist", "42P01"), ("table \"", "does not exist", "42P01"),
        ("column ", "does not exist", "42703"), ("ORDER BY position ", " is not in select list", "42P10"),
    ]
}
