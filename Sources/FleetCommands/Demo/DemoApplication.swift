/// The demo's application: a shop that takes orders and keeps a log of those that PostgreSQL acknowledged.
enum DemoApplication {
    /// Each copy writes `orders.<pid>.log`: the order's id, when it was sent and when it was acknowledged.
    static func script(binDirectory: String, sockets: String, port: Int) -> String {
        """
        #!/bin/bash
        # The demo's application: inserts an order every 50 ms over one connection, and notes each acknowledged one
        # with the times before and after. Comes back by itself when the server does.
        cd "$(dirname "$0")" || exit 1
        trap 'exit 0' TERM INT
        while true; do
            coproc SERVER { exec '\(binDirectory)/psql' -X -q -A -t -h '\(sockets)' -p \(port) -U shop -d shop 2>/dev/null; }
            server=$SERVER_PID
            while true; do
                sent=$EPOCHREALTIME
                echo "insert into orders (customer, amount) values ($RANDOM % 1000, $RANDOM / 100.0) returning id;" \\
                    >&"${SERVER[1]}" 2>/dev/null || break
                read -r -t 5 -u "${SERVER[0]}" id 2>/dev/null || break
                [[ $id =~ ^[0-9]+$ ]] || break
                echo "$id $sent $EPOCHREALTIME" >>"orders.$$.log"
                sleep 0.05
            done
            kill "$server" 2>/dev/null
            wait "$server" 2>/dev/null
            sleep 0.3
        done

        """
    }
}
