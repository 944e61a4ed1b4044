import Foundation

/// Sessions as `clients.py` plays them.
enum Client {
    struct Session: Encodable {
        /// The address it comes from, one of 127.0.0.0/8.
        var from = "127.0.0.1"
        var user: String?
        var database: String? = "postgres"
        var password: String?
        var application: String?
        var port: Int
        var queries: [String] = []
        /// Prepared statements, each with its parameters.
        var bound: [[String]] = []
        /// Sent instead of a login.
        var raw: String?

        /// The right password of a user of the lab unless another is given.
        init(
            _ from: String = "127.0.0.1", user: String, password: String? = nil, database: String = "postgres",
            application: String? = nil, port: Int, queries: [String] = [], bound: [[String]] = []
        ) {
            self.from = from
            self.user = user
            self.password = password ?? user + "-secret"
            self.database = database
            self.application = application
            self.port = port
            self.queries = queries
            self.bound = bound
        }

        /// Bytes that are no login.
        init(_ from: String, raw: String, port: Int) {
            self.from = from
            self.raw = raw
            self.port = port
        }
    }

    /// What the server answered.
    struct Answer: Decodable {
        /// `ok`, the SQLSTATE of the refusal, or `closed`.
        let login: String
        /// SQLSTATE for each query.
        let results: [String]
    }

    static func play(_ sessions: [Session]) throws -> [Answer] {
        let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appending(path: "clients.py").path
        let output = try Lab.run(["python3", script], input: try JSONEncoder().encode(sessions))
        return try JSONDecoder().decode([Answer].self, from: Data(output.utf8))
    }
}
