/// What a stderr log does not carry because of its `log_line_prefix`, or of the server's language.
extension LogLinePrefix {
    /// What is missing, and what to set. `head` is the start of a log that is read by this prefix.
    func gaps(_ head: [UInt8]) -> [FormatGap] {
        var gaps: [FormatGap] = []
        let shown = "log_line_prefix '\(text)'"
        func lacks(_ fields: [PrefixField]) -> Bool { !fields.contains(where: self.fields.contains) }
        if lacks([.rest]) == false {
            gaps.append(
                FormatGap(
                    lacks: "the log_line_prefix was not recognised: only times and messages are read",
                    remedy: "set `sources.prefix` to the server's log_line_prefix"))
            return gaps
        }
        if lacks([.host, .remote]) {
            gaps.append(
                FormatGap(
                    lacks: "\(shown) has no address: it is known only where log_connections is on",
                    remedy: "put %h or %r into log_line_prefix"))
        }
        if lacks([.user]) {
            gaps.append(
                FormatGap(
                    lacks: "\(shown) has no user: only messages about a login name one",
                    remedy: "put %u and %d into log_line_prefix"))
        }
        if lacks([.process, .session]) {
            gaps.append(
                FormatGap(
                    lacks: "\(shown) has no process: records of one session cannot be put together",
                    remedy: "put %p or %c into log_line_prefix"))
        }
        if lacks([.state]), head.withUnsafeBufferPointer(LogLinePrefix.hasForeignSeverity) {
            gaps.append(
                FormatGap(
                    lacks: "the messages are not English and carry no SQLSTATE: reasons that PostgreSQL 15's "
                        + "translations do not tell are not seen",
                    remedy: "put %e into log_line_prefix, or set lc_messages = 'C'"))
        }
        if !lacks([.user, .database]), !tailTells {
            gaps.append(
                FormatGap(
                    lacks: "nothing stands behind the names in \(shown): lines of odd names may be unread",
                    remedy: "put %h and %e behind %u and %d, or log to csvlog"))
        }
        return gaps
    }

    /// True when a severity in another language than English stands in one of the first lines.
    private static func hasForeignSeverity(_ head: UnsafeBufferPointer<UInt8>) -> Bool {
        for line in HeadLines(head) {
            var at = 0
            while let colon = line[at...].firstIndex(of: 58) {
                if let found = StderrLabels.all.label(line, colon: colon, from: 0), found.label.isSeverity {
                    let word = UnsafeBufferPointer(rebasing: line[found.start..<colon])
                    // LOG is LOG in most languages.
                    if word.count != found.label.word.utf8CodeUnitCount || !word.has(found.label.word) { return true }
                    break
                }
                at = colon + 1
            }
        }
        return false
    }
}
