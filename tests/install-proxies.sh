#!/bin/sh
# Install the real proxies, a browser that looks at reports, and strace that looks at the sandbox, from Debian's packages,
# when root and allowed to.
# Never fails: tests skip by name what is missing.
missing=
for program in nginx haproxy chromium strace; do
  PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v "$program" >/dev/null 2>&1 || missing="$missing $program"
done
[ -n "$missing" ] || exit 0
if [ "$1" = 0 ] || [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null 2>&1; then
  echo "not installed:$missing. Tests that need them are skipped by name (to have them: apt-get install$missing)."
  exit 0
fi
echo "installing$missing from Debian's packages for the tests (SYSTEM=0 forbids it)"
export DEBIAN_FRONTEND=noninteractive
# policy-rc.d keeps the packages from starting their services on this machine.
made=
if [ ! -e /usr/sbin/policy-rc.d ]; then
  printf '#!/bin/sh\nexit 101\n' >/usr/sbin/policy-rc.d && chmod +x /usr/sbin/policy-rc.d && made=1
fi
apt-get update -qq >/dev/null 2>&1
for program in $missing; do
  [ "$program" = chromium ] && fonts=fonts-dejavu-core || fonts=
  apt-get install -y -qq --no-install-recommends "$program" $fonts >/dev/null 2>&1 ||
    echo "could not install: $program. Tests that need it are skipped by name."
done
[ -z "$made" ] || rm -f /usr/sbin/policy-rc.d
exit 0
