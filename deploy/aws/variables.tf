variable "name" {
  description = "Helm release; the chart's service accounts begin with it. Must hold astra-learn, as the chart's names do."
  type        = string
  default     = "astra-learn"

  validation {
    condition     = can(regex("^[a-z0-9-]*astra-learn[a-z0-9-]*$", var.name)) && length(var.name) <= 40
    error_message = "name: at most 40 lower-case letters, digits and dashes, with astra-learn in it."
  }
}

variable "namespace" {
  description = "Kubernetes namespace of the release."
  type        = string
  default     = "astra-learn"
}

variable "bucket" {
  description = "Name of the bucket to make, unique in all of AWS."
  type        = string
}

variable "prefix" {
  description = "Folder of this installation in the bucket, without slashes at its ends."
  type        = string
  default     = "production"

  validation {
    condition     = can(regex("^[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+)*$", var.prefix))
    error_message = "prefix: names of letters, digits, '.', '_' and '-' joined by '/'."
  }
}

variable "oidc_provider_arn" {
  description = "The cluster's IAM OIDC provider (IRSA), for example arn:aws:iam::111122223333:oidc-provider/oidc.eks.…/id/…"
  type        = string

  validation {
    condition     = can(regex(":oidc-provider/.+$", var.oidc_provider_arn))
    error_message = "oidc_provider_arn: expected an ARN with :oidc-provider/ in it."
  }
}

variable "core" {
  description = "Service account of CORE, which loads adapters: it may read models and nothing else. null: none."
  type = object({
    namespace       = string
    service_account = string
  })
  default = null
}

variable "deleted_days" {
  description = "How long a deleted object can be brought back. An erased municipality's documents are gone from the bucket after as many days."
  type        = number
  default     = 7

  validation {
    condition     = var.deleted_days >= 1 && var.deleted_days <= 30
    error_message = "deleted_days: 1 to 30; what was erased must not stay for longer."
  }
}

variable "log_days" {
  description = "How long the logs of runs are kept."
  type        = number
  default     = 90
}

variable "vpc" {
  description = "Where the cluster's nodes are: S3, KMS and STS get addresses there, so that network policies can name them. null: the VPC has them already."
  type = object({
    id         = string
    cidr       = string
    subnet_ids = list(string)
  })
  default = null
}

variable "tags" {
  description = "On everything that is made."
  type        = map(string)
  default     = {}
}
