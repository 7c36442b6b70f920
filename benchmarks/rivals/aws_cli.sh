#!/bin/sh
# Copyright: Contributors to the cloudsec.org_trail collection
# GNU General Public License v3.0+ (see COPYING or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# The main job as a script around the AWS CLI. Argument: the log archive account's id.
set -eu
service=cloudtrail.amazonaws.com

keys=$(aws sts assume-role --role-arn "arn:aws:iam::$1:role/OrganizationAccountAccessRole" --role-session-name bench \
  --query 'Credentials.[AccessKeyId,SecretAccessKey,SessionToken]' --output text)
# shellcheck disable=SC2086
set -- $keys
as_archive() { AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 sh -c "$4"; }

bucket=$(as_archive "$1" "$2" "$3" \
  "aws s3api list-buckets --query 'Buckets[?starts_with(Name, \`aws-cloudtrail-logs-\`)].Name' --output text")
policy=$(as_archive "$1" "$2" "$3" "aws s3api get-bucket-policy --bucket $bucket --query Policy --output text")
organization=$(aws organizations describe-organization --query Organization.Id --output text)
case $policy in *"AWSLogs/$organization/"*) ;; *) echo "$bucket does not admit $organization" >&2; exit 1 ;; esac

trail=$(aws cloudtrail describe-trails --trail-name-list default \
  --query 'trailList[0].[TrailARN,IsOrganizationTrail,S3BucketName]' --output text)
# shellcheck disable=SC2086
set -- $trail
trusted=$(aws organizations list-aws-service-access-for-organization \
  --query 'EnabledServicePrincipals[].ServicePrincipal' --output text)
case $trusted in *"$service"*) ;; *) aws organizations enable-aws-service-access --service-principal "$service" ;; esac
if [ "$2" != True ] || [ "$3" != "$bucket" ]; then
  aws cloudtrail update-trail --name "$1" --is-organization-trail --s3-bucket-name "$bucket" >/dev/null
fi
[ "$(aws cloudtrail get-trail-status --name "$1" --query IsLogging --output text)" = True ]
