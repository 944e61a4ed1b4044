import CCurl
import Codecs
import Synchronization

/// Asks one server, one request at a time, over a connection that is kept. Of one thread at a time, but for `cancel`.
public final class HTTPClient {
    private let endpoint: HTTPEndpoint
    private let handle: OpaquePointer
    private let transfer = Transfer()

    /// libcurl wants this once, before anything else (curl_global_init(3)).
    private static let isReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK

    /// Ends a client's request from another thread; later ones end at once, too.
    public final class Cancellation: Sendable {
        private let flag = Atomic(false)

        /// Not cancelled.
        public init() {}

        /// From now on.
        public func cancel() { flag.store(true, ordering: .relaxed) }

        /// Since then.
        public var isCancelled: Bool { flag.load(ordering: .relaxed) }
    }

    /// Takes whom to ask, and what ends requests early.
    public init(_ endpoint: HTTPEndpoint, cancellation: Cancellation = Cancellation()) {
        guard HTTPClient.isReady, let handle = curl_easy_init() else { fatalError("libcurl cannot be started") }
        self.endpoint = endpoint
        self.handle = OpaquePointer(handle)
        transfer.cancellation = cancellation
    }

    deinit { curl_easy_cleanup(curl) }

    private var curl: UnsafeMutableRawPointer { UnsafeMutableRawPointer(handle) }

    /// Sends a request and gives the answer with up to `limit` bytes of its body; more of it is read and dropped. Throws
    /// `HTTPProblem` when there is no whole answer, `SecretProblem` when a secret cannot be read.
    public func send(_ request: HTTPRequest, limit: Int = 1 << 20) throws -> HTTPAnswer {
        var body: [UInt8] = []
        var answer = try send(request) { bytes in
            body += bytes.prefix(limit - body.count)
        }
        answer.body = body
        return answer
    }

    /// Sends a request and hands over the answer's body piece by piece, whatever the status. What `body` throws ends the
    /// transfer and is thrown on.
    public func send(_ request: HTTPRequest, body: (UnsafeRawBufferPointer) throws -> Void) throws -> HTTPAnswer {
        curl_easy_reset(curl)
        var headers = endpoint.headers + request.headers
        var sent = request.body
        if endpoint.packs, let whole = sent, whole.count > 1024, let packed = GzipEncoder.pack(whole, level: 1) {
            sent = packed
            headers.append(("Content-Encoding", "gzip"))
        }
        // Waiting for "100 Continue" costs a second with servers that do not know it.
        headers.append(("Expect", ""))
        var list: UnsafeMutablePointer<curl_slist>?
        defer { curl_slist_free_all(list) }
        for (name, value) in headers {
            guard !(name + value).utf8.contains(where: { $0 < 32 && $0 != 9 }) else {
                throw HTTPProblem(url: endpoint.name, reason: "header \(name) holds a control character")
            }
            list = curl_slist_append(list, value.isEmpty ? "\(name):" : "\(name): \(value)")
        }
        try prepare(request, hasBody: sent != nil)
        vigil_curl_set_pointer(curl, CURLOPT_HTTPHEADER, list)
        return try (sent ?? []).withUnsafeBytes { bytes in
            if sent != nil {
                vigil_curl_set_offset(curl, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
                vigil_curl_set_pointer(curl, CURLOPT_POSTFIELDS, bytes.baseAddress ?? UnsafeRawPointer(curl))
            }
            return try withoutActuallyEscaping(body) { body in try perform(body) }
        }
    }

    /// Sets everything that the body has no part in.
    private func prepare(_ request: HTTPRequest, hasBody: Bool) throws {
        vigil_curl_set_text(curl, CURLOPT_URL, endpoint.url + request.path)
        vigil_curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        // A redirect would carry our rows, and maybe our secret, to somebody who was not configured.
        vigil_curl_set_long(curl, CURLOPT_FOLLOWLOCATION, 0)
        vigil_curl_set_long(curl, CURLOPT_NOSIGNAL, 1)
        vigil_curl_set_long(curl, CURLOPT_CONNECTTIMEOUT_MS, Int(min(5, endpoint.timeout) * 1000))
        vigil_curl_set_long(curl, CURLOPT_TIMEOUT_MS, Int((request.timeout ?? endpoint.timeout) * 1000))
        vigil_curl_set_text(curl, CURLOPT_USERAGENT, "pgvigil")
        vigil_curl_set_text(curl, CURLOPT_ACCEPT_ENCODING, "")
        if hasBody { vigil_curl_set_long(curl, CURLOPT_POST, 1) }
        vigil_curl_set_text(curl, CURLOPT_CUSTOMREQUEST, request.method)
        if request.method == "HEAD" { vigil_curl_set_long(curl, CURLOPT_NOBODY, 1) }
        if let proxy = endpoint.proxy { vigil_curl_set_text(curl, CURLOPT_PROXY, proxy) }
        if let path = endpoint.authorities { vigil_curl_set_text(curl, CURLOPT_CAINFO, path) }
        if let path = endpoint.certificate { vigil_curl_set_text(curl, CURLOPT_SSLCERT, path) }
        if let path = endpoint.key { vigil_curl_set_text(curl, CURLOPT_SSLKEY, path) }
        switch endpoint.credentials {
        case .basic(let user, let password):
            vigil_curl_set_long(curl, CURLOPT_HTTPAUTH, Int(bitPattern: CURLAUTH_BASIC_MASK))
            vigil_curl_set_text(curl, CURLOPT_USERNAME, user)
            vigil_curl_set_text(curl, CURLOPT_PASSWORD, try password.read())
        case .bearer(let token):
            vigil_curl_set_long(curl, CURLOPT_HTTPAUTH, Int(bitPattern: CURLAUTH_BEARER_MASK))
            vigil_curl_set_text(curl, CURLOPT_XOAUTH2_BEARER, try token.read())
        case nil: break
        }
        vigil_curl_set_pointer(curl, CURLOPT_WRITEDATA, Unmanaged.passUnretained(transfer).toOpaque())
        vigil_curl_set_taker(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let transfer = Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue()
            return transfer.take(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
        }
        vigil_curl_set_pointer(curl, CURLOPT_HEADERDATA, Unmanaged.passUnretained(transfer).toOpaque())
        vigil_curl_set_taker(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
            guard let bytes, let context else { return 0 }
            let line = UnsafeRawBufferPointer(start: bytes, count: size * count)
            Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().note(header: line)
            return size * count
        }
        vigil_curl_set_pointer(curl, CURLOPT_XFERINFODATA, Unmanaged.passUnretained(transfer).toOpaque())
        vigil_curl_set_progress(curl) { context, _, _, _, _ in
            guard let context else { return 0 }
            return Unmanaged<Transfer>.fromOpaque(context).takeUnretainedValue().cancellation.isCancelled ? 1 : 0
        }
        vigil_curl_set_long(curl, CURLOPT_NOPROGRESS, 0)
    }

    private func perform(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) throws -> HTTPAnswer {
        transfer.start(body)
        defer { transfer.body = nil }
        let code = curl_easy_perform(curl)
        if let error = transfer.error { throw error }
        guard code == CURLE_OK else {
            let reason =
                transfer.cancellation.isCancelled ? "stopped" : String(cString: curl_easy_strerror(code))
            throw HTTPProblem(url: endpoint.name, reason: reason)
        }
        return HTTPAnswer(status: vigil_curl_status(curl), body: [], retryAfter: transfer.retryAfter)
    }
}

/// What libcurl's callbacks see of a transfer.
private final class Transfer {
    var cancellation = HTTPClient.Cancellation()
    var body: ((UnsafeRawBufferPointer) throws -> Void)?
    private(set) var error: (any Error)?
    private(set) var retryAfter: Double?

    func start(_ body: @escaping (UnsafeRawBufferPointer) throws -> Void) {
        self.body = body
        error = nil
        retryAfter = nil
    }

    func take(_ bytes: UnsafeRawBufferPointer) -> Bool {
        do {
            try body?(bytes)
            return true
        } catch {
            self.error = error
            return false
        }
    }

    func note(header line: UnsafeRawBufferPointer) {
        let parts = String(decoding: line.prefix(200), as: UTF8.self).split(separator: ":", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "retry-after" else { return }
        retryAfter = Double(parts[1].filter { !$0.isWhitespace })
    }
}
