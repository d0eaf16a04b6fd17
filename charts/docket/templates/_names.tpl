{{- define "docket.name" -}}
{{- printf "%s-operator" .Release.Name -}}
{{- end }}

{{- /* As the operator calls it: after what it watches. */ -}}
{{- define "docket.lease" -}}
{{- $watched := .Values.watch.namespaces | sortAlpha | uniq | join "." }}
{{- $name := empty $watched | ternary "docket-operator" (printf "docket-operator-%s" $watched) }}
{{- le (len $name) 253 | ternary $name (printf "docket-operator-%s" ($watched | sha256sum | trunc 16)) }}
{{- end }}

{{- define "docket.selector" -}}
app.kubernetes.io/name: docket-operator
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "docket.labels" -}}
{{ include "docket.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/part-of: docket
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}
