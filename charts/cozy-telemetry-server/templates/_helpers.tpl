{{/* SPDX-License-Identifier: Apache-2.0 */}}

{{/* One name; another release goes into another namespace. */}}
{{- define "server.name" -}}cozy-telemetry-server{{- end }}

{{- define "server.selector" -}}
app.kubernetes.io/name: {{ include "server.name" . }}
app.kubernetes.io/instance: {{ .Release.Name | quote }}
{{- end }}

{{- define "server.labels" -}}
{{ include "server.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ .Chart.Name }}-{{ .Chart.Version }}
{{- end }}

{{- define "server.image" -}}
{{- with .Values.image }}
{{- if .digest }}{{ .repository }}@{{ .digest }}{{ else }}{{ .repository }}:{{ .tag | default $.Chart.AppVersion }}{{ end }}
{{- end }}
{{- end }}

{{/* The port of a URL. */}}
{{- define "server.port" -}}
{{- $url := urlParse . }}
{{- $port := regexFind ":[0-9]+$" $url.host | trimPrefix ":" }}
{{- $port | default (eq $url.scheme "http" | ternary "80" "443") }}
{{- end }}

{{/* The ports of everything that the settings name, one a word. */}}
{{- define "server.egressPorts" -}}
{{- $ports := list }}
{{- range list "forward-url" "forward-delete-url" "vmselect-url" "oidc-issuer" }}
{{- range index $.Values.settings . | default "" | splitList "," }}
{{- with trim . }}{{ $ports = append $ports (include "server.port" .) }}{{ end }}
{{- end }}
{{- end }}
{{- $ports | uniq | sortAlpha | join " " }}
{{- end }}

{{/* Whether the settings' Secret may name somebody whom the NetworkPolicy does not let the backend speak to. */}}
{{- define "server.isCutOff" -}}
{{- if and .Values.settingsSecret .Values.networkPolicy.enabled (not (or .Values.networkPolicy.extraEgress (include "server.egressPorts" .))) }}true{{ end }}
{{- end }}

{{/* Refuses what could not run, and says what to set. */}}
{{- define "server.check" -}}
{{- $shares := or (eq (index .Values.settings "mode" | default "") "forward-only") (index .Values.settings "vmselect-url") }}
{{- if gt (int .Values.replicas) 1 }}
{{- if not (or $shares .Values.settingsSecret) }}
{{- fail "replicas: the embedded store is for one; set settings.mode to forward-only with settings.forward-url, or settings.vmselect-url, for more" }}
{{- end }}
{{- if not .Values.pseudonymKey.secret }}
{{- fail "pseudonymKey.secret: several replicas have to share a key: head -c 32 /dev/urandom > pseudonym.key; kubectl create secret generic NAME --from-file=pseudonym.key" }}
{{- end }}
{{- end }}
{{- if and (eq (index .Values.settings "mode" | default "") "forward-only") (not (or (index .Values.settings "forward-url") .Values.settingsSecret)) }}
{{- fail "settings.forward-url: mode forward-only sends reports on to it" }}
{{- end }}
{{- if and .Values.serviceMonitor.enabled (not .Values.admin.expose) }}
{{- fail "admin.expose: it has to be true for serviceMonitor.enabled; say in networkPolicy.adminFrom who scrapes" }}
{{- end }}
{{- if and .Values.admin.clientAuthoritiesSecret (not .Values.admin.tlsSecret) }}
{{- fail "admin.tlsSecret: it is needed with admin.clientAuthoritiesSecret" }}
{{- end }}
{{- if and .Values.ingress.enabled (not .Values.ingress.hosts) }}
{{- fail "ingress.hosts: name at least one host" }}
{{- end }}
{{- if and .Values.ingress.enabled (ne (index .Values.settings "rate-limits" | default "") "off") (not (or (index .Values.settings "trusted-proxies") .Values.settingsSecret)) }}
{{- fail "settings.trusted-proxies: name the networks of the ingress controller's pods, such as 10.244.0.0/16, or all clusters share the limits of one sender" }}
{{- end }}
{{- if and (eq (index .Values.settings "mode" | default "") "forward-only") (include "server.isCutOff" .) }}
{{- fail "networkPolicy.extraEgress: open the port of the forward-url in settingsSecret, such as [{ports: [{protocol: TCP, port: 8480}]}], or nothing is sent on" }}
{{- end }}
{{- end }}

{{/* The settings file: what the chart decides, then the settings, all of them as text. Helm reads numbers as fractions. */}}
{{- define "server.settings" -}}
listen-addr: ":8081"
admin-addr: {{ .Values.admin.expose | ternary ":8082" "127.0.0.1:8082" | quote }}
data-dir: /var/lib/cozy-telemetry
{{- if .Values.pseudonymKey.secret }}
pseudonym-key-file: {{ printf "/etc/cozy-telemetry/pseudonym/%s" .Values.pseudonymKey.key | quote }}
{{- end }}
{{- if .Values.tls.secret }}
tls-cert: /etc/cozy-telemetry/tls/tls.crt
tls-key: /etc/cozy-telemetry/tls/tls.key
{{- end }}
{{- if .Values.admin.tlsSecret }}
admin-tls-cert: /etc/cozy-telemetry/admin-tls/tls.crt
admin-tls-key: /etc/cozy-telemetry/admin-tls/tls.key
{{- end }}
{{- if .Values.admin.clientAuthoritiesSecret }}
admin-client-ca: /etc/cozy-telemetry/admin-clients/ca.crt
{{- end }}
{{- if .Values.oidc.certificateAuthoritiesConfigMap }}
oidc-ca-file: /etc/cozy-telemetry/oidc/ca.crt
{{- end }}
{{- range $name, $value := .Values.settings }}
{{ $name }}: {{ kindIs "float64" $value | ternary (int64 $value) $value | quote }}
{{- end }}
{{- end }}

{{/* The files that a pod is given: name, kind, the object's name. */}}
{{- define "server.files" -}}
{{- with .Values.pseudonymKey.secret }}
- {name: pseudonym, secret: {secretName: {{ . | quote }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.tls.secret }}
- {name: tls, secret: {secretName: {{ . | quote }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.admin.tlsSecret }}
- {name: admin-tls, secret: {secretName: {{ . | quote }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.admin.clientAuthoritiesSecret }}
- {name: admin-clients, secret: {secretName: {{ . | quote }}, defaultMode: 0440}}
{{- end }}
{{- with .Values.oidc.certificateAuthoritiesConfigMap }}
- {name: oidc, configMap: {name: {{ . | quote }}}}
{{- end }}
{{- end }}
