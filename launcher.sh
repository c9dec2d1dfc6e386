#!/usr/bin/env bash
# Opens Llm-Music-Gen. The first time it makes everything ready; after that it needs no network and no time.
#
#   ./launcher.sh                     opens the app
#   ./launcher.sh generate "Chill"    any command of llm-music-gen (see: ./launcher.sh --help)
#   ./launcher.sh test                runs the tests; what follows goes to pytest
#   ./launcher.sh setup               makes everything ready once more
#
# LLM_MUSIC_GEN_PYTHON names the Python to use. What happened stands in launcher.log.
set -uo pipefail
unset CDPATH PYTHONHOME PYTHONSTARTUP

SCRIPT="${BASH_SOURCE[0]}"
while [ -L "$SCRIPT" ]; do # started through a link: the studio is where the link leads
    TARGET="$(readlink "$SCRIPT")"
    case "$TARGET" in
    /*) SCRIPT="$TARGET" ;;
    *) SCRIPT="$(dirname "$SCRIPT")/$TARGET" ;;
    esac
done
ROOT="$(cd -P "$(dirname "$SCRIPT")" && pwd)"
VENV="$ROOT/.venv"
VENV_PYTHON="$VENV/bin/python"
LOCK="$ROOT/requirements/studio.lock"   # every package with its version and checksums; .ci/lock writes it
TEST_LOCK="$ROOT/requirements/test.lock"
STAMP="$VENV/made-ready.lock"           # the LOCK that .venv was made for
TEST_STAMP="$VENV/made-ready-test.lock" # the same for what the tests need
LOG="$ROOT/launcher.log"
LLAMA_WHEELS="https://abetlen.github.io/llama-cpp-python/whl/cpu"
PACKAGES="numpy scipy pydantic textual soundfile mido" # where one of these is missing, .venv is not whole
LLAMA_CPP_PYTHON="llama-cpp-python>=0.3.16"

export PYTHONUTF8=1 PYTHONNOUSERSITE=1
export PYTHONSAFEPATH=1 # a random.py in the caller's folder must not be imported
export PYTHONPATH="$ROOT"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1 PIP_USER=0
export PIP_RETRIES="${PIP_RETRIES:-2}" # without a network pip would try for a minute

# --- telling -------------------------------------------------------------------------------------------------------

log() { printf '%s\n' "$*" >>"$LOG"; }

say() { # stdout belongs to the studio (--json)
    printf 'Llm-Music-Gen: %s\n' "$*" >&2
    log "$*"
}

fail() {
    say "$*"
    exit 1
}

open_log() {
    if ! { : >>"$LOG"; } 2>/dev/null; then
        LOG=/dev/null
    elif [ "$(wc -c <"$LOG")" -gt 1000000 ]; then
        tail -c 200000 "$LOG" >"$LOG.new" && mv "$LOG.new" "$LOG"
    fi
    log "---- $(date '+%Y-%m-%d %H:%M:%S') ----"
}

logged() { # runs a command; its output goes to the log and, on a terminal, its newest line to the screen
    log "\$ $*"
    if [ -t 2 ]; then
        "$@" 2>&1 </dev/null | while IFS= read -r line; do
            printf '%s\n' "$line" >>"$LOG"
            printf '\r\033[K  %.70s' "$line" >&2
        done
        local status="${PIPESTATUS[0]}"
        printf '\r\033[K' >&2
        return "$status"
    fi
    "$@" >>"$LOG" 2>&1 </dev/null
}

why_pip_failed() { # one sentence from what pip left in the log
    local tail_of_log
    tail_of_log="$(tail -n 80 "$LOG")"
    case "$tail_of_log" in
    *"No space left"*) echo "the disk is full. Make room and start again." ;;
    *NewConnectionError* | *"name resolution"* | *"Name or service not known"* | *ProxyError* | *unreachable* | *ConnectTimeout* | *"nodename nor servname"*)
        echo "there is no network, which only the first start needs. Connect and start again." ;;
    *) echo "$(printf '%s\n' "$tail_of_log" | grep -i 'error' | tail -n 1) (the whole story is in launcher.log)" ;;
    esac
}

# --- what the system gives --------------------------------------------------------------------------------------------

as_root() {
    if [ "$(id -u)" = 0 ]; then
        logged "$@"
    else
        logged sudo -n "$@"
    fi
}

may_install() { [ "$(id -u)" = 0 ] || { command -v sudo >/dev/null && sudo -n true 2>/dev/null; }; }

system_install() { # system_install WHAT APT DNF PACMAN BREW: installs one system package or says how
    local what="$1" command=""
    if command -v brew >/dev/null && [ "$(uname -s)" = Darwin ]; then
        say "Installing $what with Homebrew ..."
        logged brew install "$5" && return 0
        command="brew install $5"
    elif command -v apt-get >/dev/null; then
        command="apt-get install -y --no-install-recommends $2"
    elif command -v dnf >/dev/null; then
        command="dnf install -y $3"
    elif command -v pacman >/dev/null; then
        command="pacman -S --noconfirm $4"
    fi
    if [ -n "$command" ] && [ "$(uname -s)" != Darwin ]; then
        if may_install; then
            say "Installing $what ($command) ..."
            # shellcheck disable=SC2086  # the words of the command
            as_root env DEBIAN_FRONTEND=noninteractive $command && return 0
            # shellcheck disable=SC2086
            command -v apt-get >/dev/null && as_root apt-get update && as_root env DEBIAN_FRONTEND=noninteractive $command && return 0
        fi
        command="sudo $command"
    fi
    say "$what is missing${command:+: please run \"$command\"}."
    return 1
}

RIGHT_VERSION='import sys; sys.exit(not ((3, 10) <= sys.version_info[:2] <= (3, 13) and sys.maxsize > 2**32))'

find_python() { # sets PYTHON
    local name without_venv="" other=""
    for name in "${LLM_MUSIC_GEN_PYTHON:-}" python3.12 python3.11 python3.13 python3.10 python3 python; do
        if [ -z "$name" ] || ! command -v "$name" >/dev/null; then
            continue
        elif ! "$name" -c "$RIGHT_VERSION" >/dev/null 2>&1; then
            other="${other:-$("$name" --version 2>/dev/null)}"
        elif "$name" -c 'import venv, ensurepip' >/dev/null 2>&1; then
            PYTHON="$name"
            return
        else
            without_venv="${without_venv:-$name}"
        fi
    done
    if [ -n "$without_venv" ]; then
        system_install "Python's venv module" python3-venv python3 python python@3.12
        "$without_venv" -c 'import venv, ensurepip' >/dev/null 2>&1 || exit 1
        PYTHON="$without_venv"
        return
    fi
    fail "Python 3.10 to 3.13 (64 bit) is missing${other:+, only $other was found}: install it (Debian, Ubuntu: sudo apt-get install python3 python3-venv; macOS: brew install python@3.12) and start again."
}

# --- making ready -----------------------------------------------------------------------------------------------------

venv_runs() { [ -x "$VENV_PYTHON" ] && "$VENV_PYTHON" -c 'import pip' >/dev/null 2>&1; }

packages_present() { # a look into the folders, nothing is imported
    "$VENV_PYTHON" -c 'import sys; from importlib.util import find_spec; sys.exit(not all(map(find_spec, sys.argv[1:])))' "$@" >/dev/null 2>&1
}

# shellcheck disable=SC2086  # the words of PACKAGES
is_ready() { # is_ready LOCK STAMP: made for these packages and still there
    [ -x "$VENV_PYTHON" ] && cmp -s "$1" "$2" && packages_present numpy scipy pydantic textual soundfile mido
}

make_venv() {
    venv_runs && return
    [ ! -e "$VENV" ] || say "The environment in .venv is not whole: making it again."
    find_python
    rm -rf "$VENV"
    say "Making a Python environment in .venv with $("$PYTHON" --version 2>&1) ..."
    if ! logged "$PYTHON" -m venv "$VENV"; then
        rm -rf "$VENV"
        fail "The Python environment could not be made: $(why_pip_failed)"
    fi
}

# A package whose checksum is not in the lock is refused by pip, as is one that is not named there.
install_locked() { pip_install --require-hashes -r "requirements/$1.lock"; }

install_checkout() { pip_install --no-deps --no-index --no-build-isolation -e .; }

pip_install() { (cd "$ROOT" && logged "$VENV_PYTHON" -m pip install --prefer-binary "$@"); }

works() { # works BINDING: the binding of llama.cpp runs the built-in composer on this processor
    case "$1" in
    llama_cpp) (cd "$ROOT" && logged "$VENV_PYTHON" -c "import glob, llama_cpp
for path in glob.glob('models/*.built-in.gguf'): llama_cpp.Llama(path, n_ctx=64, verbose=False).eval([1])") ;;
    *) logged "$VENV_PYTHON" -c "import $1" ;;
    esac
}

install_llama_wheel() {
    packages_present llama_cpp && return
    pip_install --only-binary :all: --timeout 10 --retries 1 --extra-index-url "$LLAMA_WHEELS" "$LLAMA_CPP_PYTHON" || return 1
    works llama_cpp && return
    log "That wheel of llama-cpp-python does not run on this processor."
    logged "$VENV_PYTHON" -m pip uninstall -y llama-cpp-python
    return 1
}

compile_llama() {
    if ! command -v "${CXX:-c++}" >/dev/null && ! command -v g++ >/dev/null && ! command -v clang++ >/dev/null; then
        say "llama-cpp-python has no ready-made package here and a C++ compiler is missing (Debian, Ubuntu: sudo apt-get install g++)."
        return 1
    fi
    say "No ready-made llama-cpp-python for this machine: compiling it, which takes some minutes ..."
    pip_install "$LLAMA_CPP_PYTHON" && works llama_cpp
}

install_llama() {
    say "Looking for a ready-made llama.cpp ..."
    install_llama_wheel || works xllamacpp || compile_llama ||
        say "No llama.cpp could be installed: without it nothing can be composed (see launcher.log)."
}

install_fluidsynth() {
    logged "$VENV_PYTHON" -c 'import fluidsynth' && return
    system_install FluidSynth fluidsynth fluidsynth fluidsynth fluid-synth
}

# shellcheck disable=SC2086
make_ready() {
    [ -w "$ROOT" ] || fail "The folder $ROOT cannot be written to: copy it to a place of your own and start there."
    [ "$LOG" = /dev/null ] && fail "launcher.log in $ROOT cannot be written to: make it writable and start again."
    make_venv
    say "Installing the packages; the first time this takes some minutes ..."
    if ! { install_locked studio && install_checkout; }; then
        if [ -f "$STAMP" ] && packages_present $PACKAGES; then
            say "The packages could not be brought up to date: $(why_pip_failed)"
            return
        fi
        fail "The packages could not be installed: $(why_pip_failed)"
    fi
    install_llama
    install_fluidsynth
    cp "$LOCK" "$STAMP"
    say "Everything is ready."
}

make_tests_ready() {
    say "Installing what the tests need ..."
    install_locked test || fail "What the tests need could not be installed: $(why_pip_failed)"
    install_llama_wheel || compile_llama || say "The tests of llama-cpp-python will be skipped."
    cp "$TEST_LOCK" "$TEST_STAMP"
}

alone() { # two launchers started at once make ready one after the other
    if command -v flock >/dev/null && { exec 9>"$ROOT/.launcher.lock"; } 2>/dev/null; then
        flock 9
        "$@"
        exec 9>&-
    else
        "$@"
    fi
}

ready_or() { is_ready "$1" "$2" || "$3"; }

# --- the start --------------------------------------------------------------------------------------------------------

case "$(uname -s)" in
MINGW* | MSYS* | CYGWIN*) fail "On Windows start launcher.bat instead." ;;
esac
open_log
if [ "${1:-}" = setup ]; then
    alone make_ready && rm -f "$TEST_STAMP"
    exit
fi
is_ready "$LOCK" "$STAMP" || alone ready_or "$LOCK" "$STAMP" make_ready
if [ "${1:-}" = test ]; then
    shift
    is_ready "$TEST_LOCK" "$TEST_STAMP" || alone ready_or "$TEST_LOCK" "$TEST_STAMP" make_tests_ready
    cd "$ROOT" && exec "$VENV_PYTHON" -m pytest "$@"
fi
exec "$VENV_PYTHON" -m llm_music_gen "$@"
