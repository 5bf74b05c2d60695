bucket            = "astra-learn-111122223333"
oidc_provider_arn = "arn:aws:iam::111122223333:oidc-provider/oidc.eks.eu-west-1.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
core              = { namespace = "core", service_account = "core" }
vpc = {
  id         = "vpc-0123456789abcdef0"
  cidr       = "10.0.0.0/16"
  subnet_ids = ["subnet-0123456789abcdef0", "subnet-0123456789abcdef1"]
}
