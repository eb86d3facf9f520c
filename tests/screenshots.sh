#!/usr/bin/env bash
# Pictures of the window's main states, to be looked at.
# Usage: tests/screenshots.sh BUILD FOLDER [MODEL.gguf]
#
# The states of the scripted tests come first, then with high contrast. With a model the program itself
# is started too, in a data folder of its own, and asked something.
set -euo pipefail

build=$(realpath "$1")
mkdir -p "$2"
folder=$(realpath "$2")
model=${3:+$(realpath "$3")}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

export GSETTINGS_SCHEMA_DIR=$build/data GIO_USE_VFS=local XDG_CONFIG_HOME=$scratch/config
# GNOME's own letters, where they are installed (fonts-cantarell).
mkdir -p "$XDG_CONFIG_HOME/gtk-4.0"
cat > "$XDG_CONFIG_HOME/gtk-4.0/settings.ini" <<'END'
[Settings]
gtk-font-name=Cantarell 11
gtk-xft-antialias=1
gtk-xft-hinting=1
gtk-xft-hintstyle=hintslight
gtk-xft-rgba=none
END
screen=(xvfb-run -a -s '-screen 0 1280x1024x24')

export GTK_A11Y=test GSETTINGS_BACKEND=memory GSK_RENDERER=cairo FACET_TEST_PO=$build/po
FACET_TEST_DATA=$(dirname "$(realpath "$0")")/data
G_TEST_SRCDIR=$(dirname "$FACET_TEST_DATA")
export FACET_TEST_DATA G_TEST_SRCDIR
for name in ui/test-{window,locked,composer,conversation,sound,window-tools,chat-choices,large,looks} app/test-pages; do
  FACET_SCREENSHOTS=$folder "${screen[@]}" "$build/tests/$name"
done
mkdir -p "$folder/high-contrast"
for name in window sound; do
  ADW_DEBUG_HIGH_CONTRAST=1 FACET_SCREENSHOTS=$folder/high-contrast "${screen[@]}" "$build/tests/ui/test-$name"
done
FACET_SCREENSHOTS=$folder/high-contrast "${screen[@]}" "$build/tests/ui/test-looks" contrast

[[ -n $model ]] || exit 0
export GSETTINGS_BACKEND=keyfile GTK_A11Y=none XDG_DATA_HOME=$scratch/data
mkdir -p "$XDG_DATA_HOME/facet/models" "$scratch/empty" "$scratch/broken"
touch "$scratch/broken/facet" # no folder, so chats cannot be opened
ln -s "$model" "$XDG_DATA_HOME/facet/models/"

cat > "$scratch/session.sh" <<'END'
# What lies around the window is black.
shot() { import -window root png:- | convert - -trim +repage "$folder/$1.png"; }
# NAME [NAME KEYS]…: the program as it starts, then after each of the keys.
walk() {
  "$build/facet" &
  program=$!
  sleep 5
  shot "$1"
  shift
  while (( $# )); do
    xdotool key --delay 500 $2
    sleep 3
    shot "$1"
    shift 2
  done
  kill "$program"
  wait "$program" || true
}
XDG_DATA_HOME=$scratch/empty walk program-first program-first-models ctrl+m
XDG_DATA_HOME=$scratch/empty LANGUAGE=de LC_ALL=C.UTF-8 walk program-german program-german-preferences ctrl+comma
XDG_DATA_HOME=$scratch/broken walk program-trouble
"$build/facet" &
program=$!
sleep 5
shot program-start
xdotool mousemove 640 640 click 1
xdotool type --delay 15 "What is the capital of France?"
sleep 1
shot program-typed
xdotool key Return
sleep 10
shot program-answer
xdotool key ctrl+m
sleep 3
shot program-models
xdotool key Escape
xdotool key ctrl+question
sleep 3
shot program-shortcuts
kill "$program"
wait "$program" || true
LANGUAGE=ar LC_ALL=C.UTF-8 walk program-arabic program-arabic-models ctrl+m program-arabic-shortcuts "Escape ctrl+question"
END
export build folder scratch
dbus-run-session -- "${screen[@]}" bash "$scratch/session.sh"
