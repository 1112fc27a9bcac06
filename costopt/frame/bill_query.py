"""The bill by resource over each provider's newest days, in SQL; what it means: cost.py."""

from __future__ import annotations

from typing import Final

QUERY: Final = """
with mine as (
  select c.*, lower(ResourceId) as resource, p.provider
  from charges c join providers p on c.ProviderName is not distinct from p.ProviderName
  where BillingCurrency = $currency and ChargePeriodEnd <= $end
), used as (
  -- what is told of the month so far ends with the usage, whatever period it names
  select *, ChargePeriodEnd - ChargePeriodStart > to_hours(25) as long,
    long and (ChargeCategory is not distinct from 'Tax'
      or CommitmentDiscountStatus is not distinct from 'Unused') as so_far,
    ChargeCategory is not distinct from 'Usage' and not so_far as usage
  from mine
), span as (
  select provider,
    coalesce(max(ChargePeriodEnd) filter (where usage), max(ChargePeriodEnd)) as until,
    greatest(
      coalesce(min(ChargePeriodStart) filter (where usage), min(ChargePeriodStart)),
      until - to_days($days)) as since,
    bool_or(usage and not long and ServiceCategory = 'Compute') as by_the_day
  from used group by provider
), told as (
  select provider, ChargePeriodStart as starts, max(ChargePeriodEnd) as ends
  from used join span using (provider)
  where usage and not (by_the_day and long) group by provider, ChargePeriodStart
), gap as (
  select provider, starts as ends, max(ends) over (partition by provider order by starts
    rows between unbounded preceding and 1 preceding) as starts
  from told
), hole as (
  select provider, sum(epoch(ends - greatest(starts, since))) / 3600 as missing
  from gap join span using (provider)
  where ends - starts > to_days($hole) and ends > since group by provider
), bill as (
  select resource, provider, until,
    greatest(ChargePeriodStart, since) as starts,
    least(ChargePeriodEnd, until) as ends,
    -- a correction is of an earlier bill: no machine costs it, and none saves it
    coalesce(ChargeClass, '') = 'Correction' as corrects,
    not corrects and ServiceCategory = 'Compute' and ChargeCategory = 'Usage' and (
      regexp_matches(lower(coalesce(PricingUnit, '')), $time_unit)
      or regexp_matches(lower(coalesce(PricingUnit, '')), $day_unit)
        and not regexp_matches(lower(PricingUnit), $data_unit)) as stops,
    resource is null and CommitmentDiscountId is null
      and ServiceCategory = 'Compute' and ChargeCategory = 'Usage' as nameless,
    stops and CommitmentDiscountId is not null as covered,
    stops and regexp_matches(lower(PricingUnit), $hour_unit) as counts_hours,
    since,
    -- a gift (a promotion, a free trial) ends, and the machine costs what it costs
    ChargeCategory is not distinct from 'Credit'
      or resource is null and EffectiveCost < 0 or corrects as credit,
    -- a month's tax or support that lies partly outside the span counts for the part inside it
    case when so_far then ends else ChargePeriodEnd end as reaches,
    case when ChargePeriodStart >= since and reaches <= until then 1.0 else
      epoch(ends - starts) / epoch(reaches - ChargePeriodStart) end as part,
    part_of(EffectiveCost, part) as effective,
    part_of(ListCost, part) as listed,
    part_of(PricingQuantity, part) as quantity
  from used join span using (provider)
  where ChargePeriodEnd > since and (ChargePeriodStart < until or since = until)
)
select resource, provider, credit, any_value(until) as until, any_value(since) as since,
  any_value(coalesce(missing, 0)) as missing,
  sum(effective) as effective,
  coalesce(sum(effective) filter (where stops), 0) as compute,
  coalesce(sum(listed) filter (where stops), 0) as compute_list,
  sum(quantity) filter (where counts_hours) as hours,
  list(distinct {'f': starts, 't': ends}) filter (where stops) as periods,
  coalesce(sum(effective) filter (where nameless), 0) as nameless,
  coalesce(sum(effective) filter (where covered), 0) as committed
from bill left join hole using (provider)
group by resource, provider, credit order by resource, provider, credit
"""
PART_OF: Final = """
create macro part_of(amount, part) as
  case when part = 1 then amount else (amount::double * part)::decimal(28, 12) end
"""
# What stops with a machine is Compute usage billed by time; per-gigabyte rows and other
# categories (disks, addresses, licences) bill on.
