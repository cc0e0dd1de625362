// HostPlatform
