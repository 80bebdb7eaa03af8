#!/bin/sh
# Writes random secrets for deploy/compose.yaml into deploy/secrets/ (or the folder that is named), where git does not
# look. What is there already stays: remove the folder, and the volumes, for new ones.
set -eu

at=${1:-$(dirname "$0")/secrets}
mkdir -p "$at"
# Containers read the files under ids of their own; nobody else of this machine gets into the folder.
chmod 700 "$at"

random() {
    od -An -tx1 -N24 /dev/urandom | tr -d ' \n'
}

# secret NAME TEXT: unless there is one.
secret() {
    [ -e "$at/$1" ] && return
    printf '%s\n' "$2" >"$at/$1"
    chmod 644 "$at/$1"
}

secret rabbitmq_password "$(random)"
secret redis_password "$(random)"
secret api_key "$(random)"
secret grafana_password "$(random)"

rabbitmq=$(cat "$at/rabbitmq_password")
secret rabbitmq.conf "default_user = csms
default_pass = $rabbitmq"
secret bus_url "amqp://csms:$rabbitmq@rabbitmq:5672/"

redis=$(cat "$at/redis_password")
secret redis.conf "requirepass $redis"
secret state_url "redis://:$redis@redis:6379/0"

secret api_keys "[{\"name\": \"operator\", \"key\": \"$(cat "$at/api_key")\", \"scopes\": [\"admin\"]}]"

# For WEBHOOK_AUTH=Basic and Bearer: yours, not ours.
secret webhook_password ""
secret webhook_token ""

echo "Secrets are in $at; the key of the REST API is in api_key, RabbitMQ's password for csms in rabbitmq_password."
