{{- /* The volume `data` of a StatefulSet, where no storage class is named; the argument is its `storage`. */ -}}
{{- define "docket-dev.dataVolume" -}}
{{- if not .className }}
- name: data
  emptyDir:
    sizeLimit: {{ .size }}
{{- end }}
{{- end }}

{{- /* The same, where a storage class is named. */ -}}
{{- define "docket-dev.dataClaim" -}}
{{- if .className }}
volumeClaimTemplates:
- metadata:
    name: data
  spec:
    accessModes: [ReadWriteOnce]
    storageClassName: {{ .className }}
    resources:
      requests:
        storage: {{ .size }}
{{- end }}
{{- end }}
