"""Tests of accounts that end and of accounts that become one."""
