// ProcessScaler
