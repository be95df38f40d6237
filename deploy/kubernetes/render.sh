#!/usr/bin/env bash
# Renders wal-cake.yaml from the chart and values.yaml, with the hash of what it was made of, so that a test without Helm can tell
# that it is out of date.
set -euo pipefail
cd "$(dirname "$0")"
helm=${HELM:-helm}
hash=$( (cd .. && find helm kubernetes/values.yaml -type f | LC_ALL=C sort | xargs cat) | sha256sum | cut -d' ' -f1)
manifests=$("$helm" template wal-cake ../helm/wal-cake --kube-version 1.30.0 --values values.yaml)
printf '# Rendered by render.sh from the chart and values.yaml of sha256 %s: change it there.\n%s\n' "$hash" "$manifests"
