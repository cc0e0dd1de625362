extension Plan {
    /// One environment of a rollout: what is restored in it, what comes back in it, and what must hold before the next.
    public struct Stage: Hashable, Sendable, Codable {
        /// The environment.
        public var name: String
        /// Instances that are restored in it.
        public var instances: [String]
        /// Applications that come back in it.
        public var applications: [String]
        /// Before it begins; nil where nobody need approve it.
        public var approval: Approval?
        /// Before the next one; nil where nothing is asked but that its applications are well once.
        public var soak: Soak?
        /// So many of its applications may be unwell.
        public var maxFailures: Int
        /// The longest that its instances take, restored side by side.
        public var estimate: Duration?

        public init(
            name: String, instances: [String], applications: [String], approval: Approval? = nil, soak: Soak? = nil,
            maxFailures: Int = 0, estimate: Duration? = nil
        ) {
            self.name = name
            self.instances = instances
            self.applications = applications
            self.approval = approval
            self.soak = soak
            self.maxFailures = maxFailures
            self.estimate = estimate
        }

        /// What must hold for a while.
        public struct Soak: Hashable, Sendable, Codable {
            public var duration: Duration
            /// How many probes of the stage's own are asked as well.
            public var probes: Int
            /// What is inconclusive is waited for so long.
            public var deadline: Duration?

            public init(duration: Duration, probes: Int, deadline: Duration? = nil) {
                self.duration = duration
                self.probes = probes
                self.deadline = deadline
            }
        }

        public struct Approval: Hashable, Sendable, Codable {
            /// Who started the run may not give it.
            public var byAnother: Bool
            /// How long it counts after it was given.
            public var expires: Duration
            /// How long it is waited for; nil for ever.
            public var deadline: Duration?

            public init(byAnother: Bool, expires: Duration, deadline: Duration? = nil) {
                self.byAnother = byAnother
                self.expires = expires
                self.deadline = deadline
            }
        }
    }

    public func stage(_ name: String) -> Stage? { stages.first { $0.name == name } }
}
