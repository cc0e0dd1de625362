// HostPlatformTests
