#!/bin/sh
# start.sh PROPERTIES: format the node's directory if it is none yet, then run Kafka from $KAFKA_LIBS (a directory of jars).
# It writes nothing but log.dirs, so the container's own file system can be read-only.
set -eu
properties=$1
data=$(sed -n 's/^log.dirs=//p' "$properties" | tail -n 1)
export CLASSPATH="${KAFKA_LIBS:-/opt/kafka/libs}/*"
export JDK_JAVA_OPTIONS="${KAFKA_HEAP_OPTS:--Xmx512m} -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true"

if [ ! -e "$data/meta.properties" ]; then
    java kafka.tools.StorageTool format --standalone -t "$(java kafka.tools.StorageTool random-uuid)" -c "$properties"
fi
exec java kafka.Kafka "$properties"
