# servers.sh - real servers for script/truth: got with apt-get, unpacked beside us, run as the owner and kept busy.
# Each listens on a socket in its own folder.  Sourced by script/truth, whose `work`, `targets`, as_owner are used.

SERVER_PACKAGES="redis-server memcached lighttpd nginx haproxy postgresql-15 nodejs"
tree=$work/tree

servers_get() {
	local cache=$root/build/truth deb
	mkdir -p "$cache/partial" "$tree"
	# What is installed already is not fetched, and is found where it is.
	apt-get install -y -q -d --no-install-recommends -o "Dir::Cache::archives=$cache/" $SERVER_PACKAGES \
		>"$cache/apt.log" 2>&1 || say "Not all servers could be got: $(tail -n 1 "$cache/apt.log")"
	for deb in "$cache"/*.deb; do
		if [ -e "$deb" ]; then dpkg-deb -x "$deb" "$tree"; fi
	done
	chmod -R a+rX "$tree"
	server_path=$tree/usr/sbin:$tree/usr/bin:$tree/usr/lib/postgresql/15/bin:/usr/lib/postgresql/15/bin:/usr/sbin:/usr/bin:/bin
	server_libraries=$tree/usr/lib/x86_64-linux-gnu:$tree/usr/lib/aarch64-linux-gnu:$tree/lib/x86_64-linux-gnu
}

# server NAME PROGRAM ARGUMENT...: starts one, if it is there.
server() {
	local name=$1 program=$2
	shift 2
	program=$(PATH=$server_path command -v "$program") || { say "No $name here."; return 0; }
	as_owner "$name" env -C "$work/files/$name" HOME="$work/files/$name" PATH="$server_path" \
		LD_LIBRARY_PATH="$server_libraries" "$program" "$@"
	started[$name]=${processes[-1]}
}

server_folder() {
	mkdir -p "$work/files/$1"
	cat >"$work/files/$1/${2:-unused}"
	chown -R "$owner:$owner" "$work/files/$1"
}

# A database is made first; as its owner too.
postgres_start() {
	local initdb data=$work/files/postgres/data
	initdb=$(PATH=$server_path command -v initdb) || { say "No postgres here."; return 0; }
	server_folder postgres </dev/null
	if setpriv --reuid "$owner" --regid "$owner" --clear-groups env -C "$work/files/postgres" \
		HOME="$work/files/postgres" LD_LIBRARY_PATH="$server_libraries" "$initdb" -D "$data" -U truth \
		--locale=C -N >"$work/initdb.log" 2>&1; then
		server postgres postgres -D "$data" -k "$work/files/postgres" -c listen_addresses= -c shared_buffers=64MB \
			-c fsync=off -c huge_pages=off
	else
		say "No database could be made: $(tail -n 1 "$work/initdb.log")"
	fi
}

declare -A started
servers_start() {
	local files=$work/files name pid
	servers_get
	server_folder redis </dev/null
	server redis redis-server --port 0 --unixsocket "$files/redis/socket" --save "" --dir "$files/redis"
	server_folder memcached </dev/null
	server memcached memcached -s "$files/memcached/socket" -m 256
	server_folder lighttpd conf <<-EOF
		server.document-root = "$files/lighttpd"
		server.bind = "$files/lighttpd/socket"
		server.modules = ()
	EOF
	server lighttpd lighttpd -D -f "$files/lighttpd/conf" -m "$tree/usr/lib/lighttpd"
	server_folder nginx conf <<-EOF
		daemon off; pid $files/nginx/pid; error_log stderr; worker_processes 2;
		events { }
		http { access_log off; client_body_temp_path $files/nginx/t1; proxy_temp_path $files/nginx/t2;
		fastcgi_temp_path $files/nginx/t3; uwsgi_temp_path $files/nginx/t4; scgi_temp_path $files/nginx/t5;
		server { listen unix:$files/nginx/socket; root $files/nginx; } }
	EOF
	server nginx nginx -p "$files/nginx" -c "$files/nginx/conf"
	server_folder haproxy conf <<-EOF
		defaults
		    mode http
		    timeout connect 5s
		    timeout client 5s
		    timeout server 5s
		frontend truth
		    bind unix@$files/haproxy/socket mode 666
		    default_backend web
		backend web
		    server one unix@$files/nginx/socket
	EOF
	server haproxy haproxy -W -db -f "$files/haproxy/conf"
	server_folder node server.js <<-EOF
		const kept = []
		require('http').createServer((ask, answer) => {
			kept.push({ at: Date.now(), text: 'x'.repeat(1000) + kept.length })
			if (kept.length > 50000) kept.splice(0, 10000)
			answer.end('ok')
		}).listen('$files/node/socket')
	EOF
	server node nodejs "$files/node/server.js"
	server_folder prefork </dev/null
	server prefork python3 -B "$root/tests/truth/prefork.py" "$files/prefork/socket"
	postgres_start
	sleep 3
	as_owner load env LD_LIBRARY_PATH="$server_libraries" PATH="$server_path" python3 -B "$root/tests/truth/load.py" "$files"
	ready load "${processes[-1]}" || die "the servers get nothing to do: $(tail -n 2 "$work/load.err")"
	for name in "${!started[@]}"; do
		if [ -d "/proc/${started[$name]}" ]; then
			targets+=("${started[$name]}")
			for pid in $(descendants "${started[$name]}"); do targets+=("$pid"); done
		else
			say "$name did not stay: $(tail -n 1 "$work/$name.err" "$work/$name.out" | tr '\n' ' ')"
		fi
	done
	say "Servers: ${!started[*]}"
}
