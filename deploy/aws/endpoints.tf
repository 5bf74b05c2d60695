# Addresses inside the VPC: the chart's network policies let training pods reach these and no internet.

resource "aws_security_group" "endpoints" {
  count = var.vpc == null ? 0 : 1

  name        = "${var.name}-endpoints"
  description = "HTTPS from the VPC to S3, KMS and STS"
  vpc_id      = var.vpc.id
  tags        = var.tags

  ingress {
    description = "HTTPS"
    from_port   = 443
    to_port     = 443
    protocol    = "tcp"
    cidr_blocks = [var.vpc.cidr]
  }
}

# S3's private names need a gateway in the same VPC.
resource "aws_vpc_endpoint" "s3_gateway" {
  count = var.vpc == null ? 0 : 1

  vpc_id            = var.vpc.id
  service_name      = "com.amazonaws.${data.aws_region.current.name}.s3"
  vpc_endpoint_type = "Gateway"
  tags              = var.tags
}

resource "aws_vpc_endpoint" "this" {
  for_each = var.vpc == null ? toset([]) : toset(["s3", "kms", "sts"])

  vpc_id              = var.vpc.id
  service_name        = "com.amazonaws.${data.aws_region.current.name}.${each.key}"
  vpc_endpoint_type   = "Interface"
  subnet_ids          = var.vpc.subnet_ids
  security_group_ids  = [aws_security_group.endpoints[0].id]
  private_dns_enabled = true
  tags                = var.tags

  dynamic "dns_options" {
    for_each = each.key == "s3" ? [1] : []

    content {
      private_dns_only_for_inbound_resolver_endpoint = false
    }
  }

  depends_on = [aws_vpc_endpoint.s3_gateway]
}
