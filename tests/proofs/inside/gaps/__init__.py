"""What the local AWS lacks for a delivery; laid into toolkit/local_aws/gaps/ of the copy that plays AWS.

Like the gaps of a project, each says whether it is still needed: the rehearsal fails when one is not.
"""
