# Dashboards and monitors of LiteLLM, from the files beside this one. Needs a configured provider "DataDog/datadog".

resource "datadog_dashboard_json" "litellm" {
  for_each  = fileset("${path.module}/dashboards", "*.json")
  dashboard = file("${path.module}/dashboards/${each.value}")
}

resource "datadog_monitor_json" "litellm" {
  for_each = fileset("${path.module}/monitors", "*.json")
  monitor  = file("${path.module}/monitors/${each.value}")
}
