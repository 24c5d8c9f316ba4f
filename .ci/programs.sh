# Programs that the tests run, each with Debian's package of it. Only what is missing is installed. Where Debian runs services,
# packages of servers start them on port 80; the tests start their own on free ports, so that does no harm and they don't need it.

programs=(
  apache2=apache2
  aria2c=aria2
  caddy=caddy
  clamd=clamav-daemon
  curl=curl
  ffmpeg=ffmpeg
  firefox-esr=firefox-esr
  go=golang-go
  haproxy=haproxy
  lighttpd=lighttpd
  nginx=nginx-light
  mkfs.btrfs=btrfs-progs
  openssl=openssl
  python3=python3
  strace=strace
  wget=wget
  WebKitWebDriver=webkit2gtk-driver
  Xvfb=xvfb
  zsync=zsync
)

install_programs() {
  local missing=() program
  for program in "${programs[@]}"; do
    is_installed "${program%=*}" || missing+=("${program#*=}")
  done
  # Without a font Chromium draws no text at all.
  [[ ${TEST_CHROMIUM:-} ]] || is_installed chromium || missing+=(chromium fonts-dejavu-core)
  # Debian's own Python has the modules that Debian packages, whatever other Python is in the path.
  /usr/bin/python3 -c "import django, psycopg2" 2>/dev/null || missing+=(python3 python3-django python3-psycopg2)
  ((${#missing[@]} == 0)) || install_debian_packages "${missing[@]}"
  export TEST_CHROMIUM=${TEST_CHROMIUM:-$(command -v chromium)}
  "$TEST_CHROMIUM" --version
}

# Debian keeps servers where users do not look for programs.
is_installed() {
  PATH=$PATH:/usr/sbin command -v "$1" >/dev/null
}
