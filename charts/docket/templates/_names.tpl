{{- define "docket.name" -}}
{{- printf "%s-operator" .Release.Name -}}
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
