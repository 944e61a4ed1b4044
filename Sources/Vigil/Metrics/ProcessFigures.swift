import Foundation

/// What the kernel says of this process (proc(5)), under the names that all clients of Prometheus use.
struct ProcessFigures {
    var cpuSeconds, memory, virtualMemory, startTime, openFiles, fileLimit: Double?

    init() {
        let pageSize = Double(sysconf(Int32(_SC_PAGESIZE)))
        let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
        // The name of the program, in parentheses, may hold anything.
        let fields = (ProcessFigures.text("/proc/self/stat").split(separator: ")").last ?? "")
            .split(separator: " ").map { Double($0) }
        func field(_ number: Int) -> Double? { fields.indices.contains(number - 3) ? fields[number - 3] : nil }
        if let user = field(14), let system = field(15) { cpuSeconds = (user + system) / ticks }
        memory = field(24).map { $0 * pageSize }
        virtualMemory = field(23)
        let boot = ProcessFigures.text("/proc/stat").split(separator: "\n").first { $0.hasPrefix("btime ") }
        if let boot = boot.flatMap({ Double($0.dropFirst(6)) }), let start = field(22) {
            startTime = boot + start / ticks
        }
        openFiles = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")).map { Double($0.count) }
        var limit = rlimit()
        if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 { fileLimit = Double(limit.rlim_cur) }
    }

    var families: [MetricFamily] {
        [
            MetricFamily(
                .counter, "process_cpu_seconds_total", "User and system CPU time spent, in seconds.", value: cpuSeconds),
            MetricFamily(.gauge, "process_resident_memory_bytes", "Resident memory, in bytes.", value: memory),
            MetricFamily(.gauge, "process_virtual_memory_bytes", "Virtual memory, in bytes.", value: virtualMemory),
            MetricFamily(.gauge, "process_open_fds", "Open file descriptors.", value: openFiles),
            MetricFamily(.gauge, "process_max_fds", "Most file descriptors that may be open.", value: fileLimit),
            MetricFamily(
                .gauge, "process_start_time_seconds", "Start of the process, in seconds since 1970.", value: startTime),
        ]
    }

    private static func text(_ path: String) -> String {
        String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
    }
}
