# Debian's packages.

package_lists_are_fresh=""

# Installs packages. As root, or through sudo.
install_debian_packages() {
  local as_root=()
  ((EUID == 0)) || as_root=(sudo)
  if [[ -z $package_lists_are_fresh ]]; then
    "${as_root[@]}" apt-get update -qq
    package_lists_are_fresh=yes
  fi
  echo "Installing Debian's $*"
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
    apt-get install --yes --no-install-recommends -qq -o Dpkg::Use-Pty=0 "$@" >/dev/null
}
